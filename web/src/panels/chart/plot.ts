import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  name: string;
  colour: string;
  values: (number | null)[];
  filled: boolean;
  /** Lengths of dash and gap, so that lines can be told apart without their colour. */
  dash?: readonly number[];
}

export interface PlotColours {
  text: string;
  grid: string;
  now: string;
}

export interface PlotEvents {
  /** The row under the pointer or the cursor of the keys. */
  hover(row: number | undefined): void;
  click(row: number): void;
}

export interface PlotScales {
  formatX?: ((x: number) => string) | undefined;
  /** Steps between the marks of the x axis, as of a clock; without it those of ten. */
  stepsX?: number[] | undefined;
  /** The y axis goes up to this at least. */
  least?: number | undefined;
}

/** The one place that knows the chart library. */
export class Plot {
  private readonly plot: uPlot;
  private now: number | undefined;

  constructor(
    host: HTMLElement,
    lines: Omit<Line, 'values'>[],
    colours: PlotColours,
    events: PlotEvents,
    size: { width: number; height: number },
    { formatX, stepsX, least = 4 }: PlotScales = {},
  ) {
    const axis = { stroke: colours.text, font: '11px system-ui, sans-serif', ticks: { show: false } };
    const grid = { stroke: colours.grid, width: 1 };
    this.plot = new uPlot(
      {
        ...size,
        legend: { show: false },
        // Half of the last mark's words stand beyond the end of the axis.
        padding: [8, formatX ? 26 : 16, 0, 0],
        scales: { x: { time: false }, y: { range: (_, _low, high) => [0, Math.max(least, high * 1.08)] } },
        axes: [
          {
            ...axis,
            ...{ grid: { show: false }, size: 22, gap: 3, space: 60 },
            ...(stepsX && { incrs: stepsX }),
            ...(formatX && { values: (_: uPlot, ticks: number[]) => ticks.map(formatX) }),
          },
          { ...axis, grid, size: 40, gap: 4, space: 34, values: (_, ticks) => ticks.map(compact) },
        ],
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        series: [{}, ...lines.map(toSeries)],
        hooks: {
          setCursor: [(u) => events.hover(u.cursor.idx ?? undefined)],
          draw: [(u) => this.drawNow(u, colours.now)],
          ready: [
            (u) => {
              u.over.addEventListener('click', () => {
                if (u.cursor.idx != null) events.click(u.cursor.idx);
              });
            },
          ],
        },
      },
      [[], ...lines.map(() => [])] as unknown as uPlot.AlignedData,
      host,
    );
  }

  data(xs: number[], values: (number | null)[][]): void {
    this.plot.setData([xs, ...values] as uPlot.AlignedData);
  }

  /** Marks a place on the x axis, as of the moment on show. */
  mark(x: number): void {
    if (x === this.now) return;
    this.now = x;
    this.plot.redraw(false);
  }

  /** Puts the cursor on a row, as the pointer would. */
  cursor(row: number): void {
    const x = this.plot.data[0][row];
    if (x !== undefined) this.plot.setCursor({ left: this.plot.valToPos(x, 'x'), top: 10 });
  }

  size(width: number, height: number): void {
    this.plot.setSize({ width, height });
  }

  dispose(): void {
    this.plot.destroy();
  }

  private drawNow(u: uPlot, colour: string): void {
    if (this.now === undefined || (u.data[0]?.length ?? 0) === 0) return;
    const x = Math.round(u.valToPos(this.now, 'x', true));
    const { left, top, width, height } = u.bbox;
    if (x < left || x > left + width) return;
    u.ctx.save();
    u.ctx.strokeStyle = colour;
    u.ctx.setLineDash([]);
    u.ctx.lineWidth = Math.round(devicePixelRatio * 1.5);
    u.ctx.beginPath();
    u.ctx.moveTo(x, top);
    u.ctx.lineTo(x, top + height);
    u.ctx.stroke();
    u.ctx.restore();
  }
}

function toSeries({ name, colour, filled, dash }: Omit<Line, 'values'>): uPlot.Series {
  return {
    label: name,
    stroke: colour,
    width: 1.75,
    points: { show: false },
    ...(filled && { fill: `${colour}22` }),
    ...(dash && { dash: [...dash] }),
  };
}

const notation = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 2 });
const compact = (value: number): string => notation.format(value);
